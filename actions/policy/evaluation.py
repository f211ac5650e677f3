"""Evaluating a rule file's expressions so that doubt refuses."""

from typing import Any

import structlog

from actions.policy.facts import Context
from actions.policy.rules import RuleFile

log = structlog.get_logger()
_CONSTANT: dict[str, bool | int] = {"true": True, "false": False, "0": 0}


def evaluate(
    file: RuleFile,
    expression: str,
    variables: Context,
    *,
    otherwise: bool = False,
) -> Any:  # noqa: ANN401 - any CEL value
    """Return the value of an expression.

    Args:
        file: whose expression it is.
        expression: in CEL.
        variables: what it may look at.
        otherwise: what an expression that fails counts as; chosen so that doubt refuses.
    """
    if expression in _CONSTANT:
        return _CONSTANT[expression]
    try:
        read = file.reads[expression]
        seen = {name: value for name, value in variables.items() if name in read}
        return file.programs[expression].execute(seen)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        log.warning("policy_expression_failed", expression=expression, error=str(error)[:200])
        return otherwise


def number(file: RuleFile, expression: str, variables: Context) -> int:
    """Return the value of an expression that gives a number; 0 when it fails."""
    return int(evaluate(file, expression, variables) or 0)
