"""The Connections page: which server answers, and the servers behind the local router."""
