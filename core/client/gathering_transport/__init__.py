"""An httpx transport for streams of small pieces: what arrives within one frame of a screen is handed over together.

Taking a token from httpx costs about ten times what parsing it does, and most of that is paid per reading of the socket. Nobody
sees more than 60 pictures a second, so a connection that keeps sending is read at most that often: the first pieces of an answer
come through at once, later ones with the next frame, large amounts at once again. Frames are the same for all connections, so that
what several streams bring goes out to a page together.

Connections are its own, not httpcore's: a call that is cancelled, at whatever moment, has closed its connection when it is over.
"""

from core.client.gathering_transport.link import EAGER_READS, FRAME_S
from core.client.gathering_transport.transport import GatheringTransport

__all__ = ["EAGER_READS", "FRAME_S", "GatheringTransport"]
