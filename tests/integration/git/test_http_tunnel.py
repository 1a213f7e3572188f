"""What a proxy answers to CONNECT, in pieces of any size and with the host's first words close behind."""

import socket
import threading

import pytest

from trimtab.adapters.git.http_tunnel import TunnelRefused, open_tunnel

BANNER = b"SSH-2.0-Server\r\n"
ANSWER = b"HTTP/1.1 200 Connection established\r\nVia: some proxy\r\n\r\n"


def tunnel(*pieces: bytes, username: str = "", password: str = "") -> tuple[bytes, bytes]:
    """What is left to read behind the answer, and what was asked."""
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def answer() -> None:
            for piece in pieces:
                theirs.sendall(piece)
            theirs.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            open_tunnel(ours, "git.example", 22, username=username, password=password)
        finally:
            thread.join()
        left = b"".join(iter(lambda: ours.recv(100), b""))
        return left, theirs.recv(10_000)


@pytest.mark.parametrize("cut", [1, 9, len(ANSWER) - 3, len(ANSWER), len(ANSWER) + 4])
def test_nothing_of_what_the_host_says_is_taken_or_left_out(cut: int) -> None:
    whole = ANSWER + BANNER
    left, asked = tunnel(whole[:cut], whole[cut:])
    assert left == BANNER
    assert asked == b"CONNECT git.example:22 HTTP/1.1\r\nHost: git.example:22\r\n\r\n"


def test_a_login_is_sent_as_basic_auth() -> None:
    _, asked = tunnel(ANSWER, username="ann", password="secret")
    assert b"\r\nProxy-Authorization: Basic YW5uOnNlY3JldA==\r\n" in asked


@pytest.mark.parametrize(
    ("answer", "status", "text"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", 407, "407 Proxy"),
        (b"HTTP/1.0 502 Bad Gateway\r\n\r\n", 502, "502 Bad"),
        (b"HTTP/1.1 200 OK\r\n", 0, "broke off"),
        (b"", 0, "broke off"),
        (BANNER + b"\r\n", 0, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 5000, 0, "no end"),
    ],
)
def test_what_is_no_success_is_told(answer: bytes, status: int, text: str) -> None:
    with pytest.raises(TunnelRefused, match=text) as caught:
        tunnel(answer)
    assert caught.value.status == status
