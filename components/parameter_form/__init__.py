"""The form that edits a draft: one widget for every leaf of the contract, under the key ``<slot>.<path>``.

At the top of the script ``draft = collect(slot, draft)``, before anything is drawn; then ``request_field`` for ``model`` and
``prompt`` where they belong, and ``parameter_form`` for everything else. The draft is the truth: replacing it (a preset, an
import) needs ``forget_widgets`` in the same callback and nothing else.
"""

from components.form.memory import collect, forget_widgets, widget_key
from components.parameter_form.groups import Refreshed, open_groups, open_only, parameter_form, request_field, set_count

__all__ = [
    "Refreshed",
    "collect",
    "forget_widgets",
    "open_groups",
    "open_only",
    "parameter_form",
    "request_field",
    "set_count",
    "widget_key",
]
