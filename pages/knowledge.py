"""Knowledge: what a request would find in a base before anything is generated, and bases of one's own."""

import streamlit as st

from components import session
from components.knowledge import documents, search
from components.knowledge.library import find_base
from components.knowledge.overview import base_line, no_knowledge, unreadable
from components.services import workspace
from core.errors import PlaygroundError

PLAYGROUND_SLOT = "a"

connection = session.connection()
found = workspace().knowledge.of(connection)
if isinstance(found, PlaygroundError):
    unreadable(found, connection)
elif not found:
    no_knowledge(connection, served=found is not None)
else:
    draft = search.gather(connection)
    form, problems = search.begin(draft, connection)
    documents.upload_report()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="knowledge-bar"):
        with st.container(width="stretch", key="knowledge-base"):
            search.base_picker(form)
        documents.new_base(connection)
    base = find_base(connection, str(search.item_of(draft).get("knowledge_id") or ""))
    if base is not None:
        base_line(base)
    view = session.knowledge.view()
    if base is None or view == session.knowledge.VIEWS[0]:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="knowledge-query"):
            with st.container(width="stretch"):
                search.query(form)
            taken = st.button(
                "Use in Playground",
                key="knowledge.use",
                icon=":material/experiment:",
                disabled=bool(problems),
                on_click=search.use_in_playground,
                args=(PLAYGROUND_SLOT,),
                help="Each run there searches like this, and puts what is found before the prompt",
            )
        if taken:
            st.switch_page("playground.py")
        settings, matches = st.columns([0.36, 0.64], gap="medium")
        with settings:
            search.settings(form)
        with matches:
            search.results(draft, problems, connection)
    else:
        documents.contents(base, connection)
