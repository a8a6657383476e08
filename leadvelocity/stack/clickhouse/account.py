"""Who may use the server."""

import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The one user there is, and where it begins."""

    user: str
    password: str
    database: str

    def fits(self, user: str, password: str) -> bool:
        """Return whether these are its name and password."""
        same_user = hmac.compare_digest(user.encode(), self.user.encode())
        return hmac.compare_digest(password.encode(), self.password.encode()) and same_user
