"""Connections: which server answers, at which address, with which key; the servers behind the local router; and tests that really call."""

from components.connections.connection_form import connection_form
from components.connections.upstream_form import upstreams

connection_form()
upstreams()
