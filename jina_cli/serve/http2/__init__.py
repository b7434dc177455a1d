"""HTTP/2 for a server: frames, headers, flow control, and the connections they make up.

`connection` knows the protocol and no socket; `server` has the sockets and the clock.
"""
