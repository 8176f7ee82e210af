"""Connections: which server answers, at which address, with which key; and a test that really calls it."""

from components.connection_form import connection_form

connection_form()
