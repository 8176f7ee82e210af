"""``port_free.py PORT``: exit 0 if PORT can be listened on, else say why not and what to do."""

import socket
import sys

given = sys.argv[1] if len(sys.argv) > 1 else ""
if not given.isdigit() or not 0 < int(given) < 65536:
    sys.exit(f"PORT={given} is not a port: give a number from 1 to 65535, for example make run PORT=8502.")
with socket.socket() as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: a port in TIME_WAIT is free
    try:
        probe.bind(("127.0.0.1", int(given)))
    except PermissionError:
        sys.exit(f"Port {given} is reserved for the administrator. Choose one above 1023: make run PORT=8501.")
    except OSError as error:
        another = min(int(given) + 1, 65535)
        sys.exit(f"Port {given} is not free ({error.strerror}). Stop what uses it, or choose another: make run PORT={another}")
