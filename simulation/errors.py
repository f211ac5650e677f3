"""What can be wrong with a simulation before the first word is said."""


class SimulationError(ValueError):
    """A simulation cannot be run; the message says what is wrong and where."""


class TasksInvalid(SimulationError):
    """A file of tasks is missing or wrong; names file, line and field."""


class ServerFailed(SimulationError):
    """The server did not start, or stopped answering."""
