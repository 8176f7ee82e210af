"""What is in a base of one's own: files to add, documents, their chunks, and how to take them away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from components import session
from components.knowledge import search
from components.knowledge.library import base_names, change, read
from components.plain_text import plain
from core.client.client import RouterClient
from core.connection import Connection
from core.document_metadata import MetadataTable, read_metadata_csv, typed_metadata
from core.errors import PlaygroundError
from core.router_resources.knowledge import Chunk, Document, KnowledgeBase, chunks, documents
from core.router_resources.knowledge_changes import add_document, create_base, delete_base, delete_document, switch_chunk

KINDS = ("txt", "md", "html", "pdf")
CHUNKS_SHOWN = 20
LARGEST_MB = 30
"""What the local router takes of one file."""

NEW_BASE = "knowledge-new"


def contents(base: KnowledgeBase, connection: Connection) -> None:
    """Files to add, and the documents that are there."""
    if base.chunks is None:
        st.info("This router tells nothing about what is in its bases. Searching them works.", icon=":material/visibility_off:")
        return
    if base.manageable:
        _upload(base, connection)
    try:
        found = read(connection, lambda client: documents(client, base.id))
    except PlaygroundError as error:
        st.error(plain(f"{error.cause} {error.next_step}"), icon=":material/error:")
        return
    if not found:
        st.info("Nothing is in this base yet. Add files above; each is cut into chunks that searches find.", icon=":material/draft:")
    else:
        _listed(base, sorted(found, key=lambda one: one.name.casefold()), connection)
    if base.manageable:
        _delete_base(base, connection)


def _listed(base: KnowledgeBase, found: Sequence[Document], connection: Connection) -> None:
    st.dataframe(
        [
            {
                "document": one.name,
                "chunks": one.chunks,
                "characters": one.characters,
                "metadata": ", ".join(f"{name}: {value}" for name, value in one.metadata.items()),
            }
            for one in found
        ],
        hide_index=True,
        height=min(300, 38 + 35 * len(found)),
        key="knowledge-documents",
    )
    by_id = {one.id: one for one in found}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(
            "Look into a document",
            list(by_id),
            index=None,
            key="knowledge.document",
            format_func=lambda id: by_id[id].name,
            placeholder="Choose a document",
            width="stretch",
        )
        document = by_id.get(str(chosen))
        if document is not None and base.manageable:
            st.button("Delete", key="knowledge.document.delete", icon=":material/delete:", on_click=_ask_about, args=(base.id, document.id))
    if document is None:
        return
    if session.knowledge.deletion_asked() == [base.id, document.id]:
        _sure(
            f"Delete {document.name} with its {document.chunks} chunks? No search finds them then.",
            partial(_delete_document, base.id, document.id),
        )
    _chunks(base, document, connection)


def _chunks(base: KnowledgeBase, document: Document, connection: Connection) -> None:
    pages = -(-document.chunks // CHUNKS_SHOWN)
    page = 1
    if pages > 1:
        page = st.number_input(f"Page of {pages}", 1, pages, 1, key=f"knowledge.page.{document.id}", width=160)
    try:
        shown = read(connection, lambda client: _page(client, base, document, page))
    except PlaygroundError as error:
        st.error(plain(f"{error.cause} {error.next_step}"), icon=":material/error:")
        return
    for chunk in shown:
        with st.container(border=True, gap="xsmall", key=f"knowledge-chunk-{chunk.position}"):
            st.toggle(
                f"Part {chunk.position + 1}" + ("" if chunk.enabled else " · :orange[off: no search finds it]"),
                value=chunk.enabled,
                key=f"knowledge.enabled.{chunk.id}.{chunk.enabled}",
                on_change=_toggle,
                args=(base.id, document.id, chunk.id, not chunk.enabled),
            )
            with st.container(key=f"knowledge-text-chunk-{chunk.position}"):
                st.text(chunk.text)


async def _page(client: RouterClient, base: KnowledgeBase, document: Document, page: int) -> list[Chunk]:
    """The chunks of a page, counted from 1: a router goes on from a chunk, not from a number."""
    after: str | None = None
    found: list[Chunk] = []
    for _ in range(page):
        found, more = await chunks(client, base.id, document.id, after, CHUNKS_SHOWN)
        if not more:
            break
        after = found[-1].id
    return found


def _toggle(base_id: str, document_id: str, chunk_id: str, enabled: bool) -> None:
    _told(change(session.connection(), lambda client: switch_chunk(client, base_id, document_id, chunk_id, enabled)))
    session.knowledge.set_switched_off([row for row in session.knowledge.switched_off() if row["chunk_id"] != chunk_id])


def _upload(base: KnowledgeBase, connection: Connection) -> None:
    edition = session.knowledge.upload_edition()
    with st.container(border=True, key="knowledge-upload"):
        files = st.file_uploader(
            "Add files", type=list(KINDS), accept_multiple_files=True, key=f"knowledge.files.{edition}", max_upload_size=LARGEST_MB
        )
        left, right = st.columns(2, gap="medium")
        typed = left.text_area(
            "Metadata for each of them",
            key=f"knowledge.metadata.{edition}",
            placeholder="year: 2024\nteam: support",
            height=110,
            help="A line a field. `5` is a number, `true` a boolean. Filters compare it.",
        )
        table_file = right.file_uploader(
            "Metadata from a CSV",
            type=["csv"],
            max_upload_size=1,
            key=f"knowledge.csv.{edition}",
            help="A row a file: the column `file` names it, the other columns are its metadata. It wins over what is typed.",
        )
        try:
            metadata = typed_metadata(typed or "")
            table = read_metadata_csv(table_file.getvalue()) if table_file else None
        except ValueError as error:
            st.markdown(f":red[:material/error: {plain(str(error))}]")
            return
        _matched(table, [file.name for file in files])
        count = len(files)
        if st.button(
            f"Add {count} file{'s' if count > 1 else ''}" if count else "Add",
            key="knowledge.add",
            type="primary",
            icon=":material/upload_file:",
            disabled=not files,
        ):
            _add(base, [(file.name, file.getvalue()) for file in files], metadata, table, connection)


def _matched(table: MetadataTable | None, names: Sequence[str]) -> None:
    """Whether the CSV knows the files."""
    if table is None:
        return
    unknown = [name for name in names if not table.of(name)]
    if unknown:
        listed = ", ".join(plain(name, 40) for name in unknown[:4]) + (" …" if len(unknown) > 4 else "")
        st.caption(f":orange[:material/warning: The CSV has no row for {listed}; its column is {plain(table.column, 40)}.]")
    elif names:
        st.caption(f":material/check: The CSV has a row for each of the {len(names)} files.")


def _add(
    base: KnowledgeBase,
    files: Sequence[tuple[str, bytes]],
    metadata: Mapping[str, Any],
    table: MetadataTable | None,
    connection: Connection,
) -> None:
    """Add the files one by one; what could not be added is told, and the rest is in."""
    failed: list[str] = []
    bar = st.progress(0.0, text="Adding…")
    for number, (name, content) in enumerate(files):
        bar.progress(number / len(files), text=f"Adding {plain(name, 60)}…")
        given = {**metadata, **(table.of(name) if table else {})}
        outcome = change(connection, partial(add_document, base_id=base.id, name=name, content=content, metadata=given))
        if isinstance(outcome, PlaygroundError):
            failed.append(f"{name}: {outcome.cause}")
    bar.empty()
    session.knowledge.set_result(None)
    session.knowledge.next_upload(failed, added=len(files) - len(failed))
    st.rerun()


def upload_report() -> None:
    """What the last upload came to, once."""
    added, failed = session.knowledge.take_upload_report()
    if added:
        st.toast(f"Added {added} file{'s' if added > 1 else ''}.", icon=":material/check:")
    for sentence in failed:
        st.error(plain(sentence), icon=":material/error:")


def _delete_base(base: KnowledgeBase, connection: Connection) -> None:
    st.button("Delete this base", key="knowledge.delete", icon=":material/delete_forever:", on_click=_ask_about, args=(base.id,))
    if session.knowledge.deletion_asked() == [base.id]:
        counted = f"{base.documents} documents and {base.chunks} chunks"
        _sure(
            f"Delete the base {base.key} with {counted}? Requests that name it fail then.", partial(_delete_base_now, base.id, connection)
        )


def _sure(question: str, act: Any) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key="knowledge-question"):
        st.markdown(f":material/warning: {plain(question)}", width="stretch")
        st.button("Delete", key="knowledge.sure", type="primary", on_click=act)
        st.button("Keep", key="knowledge.keep", on_click=session.knowledge.ask_deletion, args=([],))


def _ask_about(*ids: str) -> None:
    session.knowledge.ask_deletion(list(ids))


def _delete_document(base_id: str, document_id: str) -> None:
    session.knowledge.ask_deletion([])
    session.knowledge.set_result(None)
    _told(change(session.connection(), lambda client: delete_document(client, base_id, document_id)))


def _delete_base_now(base_id: str, connection: Connection) -> None:
    session.knowledge.ask_deletion([])
    if not _told(change(connection, lambda client: delete_base(client, base_id))):
        return
    search.choose(next(iter(base_names(connection)), ""))


def _told(outcome: Any) -> bool:
    """Say what went wrong; whether nothing did."""
    session.knowledge.set_result(None)
    if isinstance(outcome, PlaygroundError):
        st.toast(plain(outcome.cause), icon=":material/error:")
        return False
    return True


def new_base(connection: Connection) -> None:
    """A small form that makes a base."""
    with st.popover("New base", icon=":material/add:", key=NEW_BASE, width="content", on_change="rerun"):
        key = st.text_input("Key", key="knowledge.new.key", placeholder="team-handbook", help="What requests name it by.")
        description = st.text_input("What is in it", key="knowledge.new.description", placeholder="optional")
        st.button(
            "Create",
            key="knowledge.create",
            type="primary",
            disabled=not (key or "").strip(),
            on_click=_create,
            args=(connection, (key or "").strip(), description or ""),
        )
        if refused := session.knowledge.refusal():
            st.markdown(f":red[:material/error: {plain(refused)}]")


def _create(connection: Connection, key: str, description: str) -> None:
    outcome = change(connection, lambda client: create_base(client, key, description))
    if isinstance(outcome, PlaygroundError):
        session.knowledge.set_refusal(outcome.cause)
        return
    session.knowledge.set_refusal(None)
    for name in ("knowledge.new.key", "knowledge.new.description"):
        st.session_state[name] = ""
    st.session_state[NEW_BASE] = False  # closes it
    search.choose(outcome)
    session.knowledge.show_view("Documents")
