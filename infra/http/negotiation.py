"""How a request is answered: in which of the offered media types (RFC 9110 §12.5.1), and HEAD as GET (§9.3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starlette.types import ASGIApp, Receive, Scope, Send


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """The offered type that `Accept` ranks highest, the first of equals; None if it accepts none of them.

    Without the header every type is accepted. A range that is more specific decides over a wider one.
    """
    if not accept.strip():
        return offered[0]
    ranges = list(weighted(accept))
    best, best_quality = None, 0.0
    for media_type in offered:
        quality = max((fit for fit in (_fit(media_type, *given) for given in ranges) if fit), default=(0, 0.0))[1]
        if quality > best_quality:
            best, best_quality = media_type, quality
    return best


def weighted(header: str) -> Iterator[tuple[str, float]]:
    """What a header prefers, media ranges or languages, in lower case, each with its quality."""
    return (_range(part) for part in header.lower().split(",") if part.strip())


def _range(part: str) -> tuple[str, float]:
    """A range and its quality. Other parameters are ignored."""
    name, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, min(1.0, max(0.0, float(value)))
            except ValueError:
                return name, 0.0
    return name, 1.0


def _fit(media_type: str, given: str, quality: float) -> tuple[int, float] | None:
    """How specific the range is for the type, and its quality; None where it does not cover the type."""
    if given == media_type:
        return 2, quality
    if given == f"{media_type.partition('/')[0]}/*":
        return 1, quality
    return (0, quality) if given == "*/*" else None


def with_head(app: ASGIApp) -> ASGIApp:
    """The application, to which a HEAD is a GET: the server leaves the body out, since its own scope stays a HEAD."""

    async def as_get(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope, receive, send)

    return as_get
