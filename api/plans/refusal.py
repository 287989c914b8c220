"""Why a picture or an archive is not taken, in words for whoever sent it."""


class FileRefused(Exception):
    """The words end a sentence that begins with the file."""


class UnknownType(FileRefused):
    """By its content it is nothing that can be shown."""


class TooLarge(FileRefused):
    """Too many bytes, or too many pixels once it is decoded."""
