"""What goes back to a client: a status, headers, a body, and how they are delivered."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from datto_rmm_sandbox.quirks import Quirks

JSON = "application/json"
HTML = "text/html"
HTML_PAGE = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>"
    b"<body>awselb/2.0</body></html>"
)


class Delivery(Enum):
    """How much of an answer arrives."""

    WHOLE = "whole"
    CUT = "cut"
    CUT_CHUNKED = "cut-chunked"
    TRICKLE = "trickle"
    TRICKLE_HEADERS = "trickle-headers"
    RESET = "reset"


@dataclass(slots=True)
class Answer:
    """An answer before it is sent.

    `is_page` marks a page of a list, `has_next` one that is not the last.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE
    is_page: bool = False
    has_next: bool = False


class ApiError(Exception):
    """A request that the API refuses.

    Args:
        status: The HTTP status.
        message: What the body may say.
    """

    def __init__(self, status: int, message: str = "") -> None:
        """Remember both."""
        super().__init__(message or HTTPStatus(status).phrase)
        self.status = status


def json_answer(data: object, status: int = 200) -> Answer:
    """An answer that carries JSON.

    Args:
        data: What to send; an `orjson.Fragment` in it is sent as it is.
        status: The HTTP status.

    Returns:
        The answer.
    """
    return Answer(status, orjson.dumps(data))


def error_answer(error: ApiError, path: str, at: int, quirks: Quirks) -> Answer:
    """An error in the form that this account's answers have.

    Sources disagree on it: the vendor's document has `ErrorResponse`, a live account sent
    `{"errorMessage": ...}`, gateways send HTML or nothing.

    Args:
        error: What is wrong.
        path: The request's path.
        at: The time, milliseconds since 1970.
        quirks: `error_body` decides.

    Returns:
        The answer.
    """
    match quirks.error_body:
        case "error-message":
            return json_answer({"errorMessage": str(error)}, error.status)
        case "html":
            return Answer(error.status, HTML_PAGE, HTML)
        case "empty":
            return Answer(error.status)
        case _:
            body = {
                "timestamp": at,
                "status": error.status,
                "error": str(error),
                "path": path.removeprefix("/api"),
            }
            return json_answer(body, error.status)
