"""How the command line speaks to a running service: through `lamplighter.client`, in its words."""

from api.cli.client.errors import ClientError, Refused, Unanswered
from api.cli.client.http import Client, HttpAnswer
from api.cli.client.place import Place

__all__ = ["Client", "ClientError", "HttpAnswer", "Place", "Refused", "Unanswered"]
