"""RefusedError: a name or a formula is not accepted."""


class RefusedError(ValueError):
    """A name or a formula is not accepted; the message names the part and what is allowed.

    It has no words where a name alone is unknown.
    """
