"""Who may use the server."""

import hmac
from dataclasses import dataclass

from leadvelocity.stack.clickhouse.errors import EngineError


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The one user there is, and where it begins."""

    user: str
    password: str
    database: str

    def check(self, user: str, password: str) -> None:
        """Raise EngineError unless these are its name and password."""
        same_user = hmac.compare_digest(user.encode(), self.user.encode())
        same_password = hmac.compare_digest(password.encode(), self.password.encode())
        if not (same_user and same_password):
            raise EngineError.unauthenticated(user)
