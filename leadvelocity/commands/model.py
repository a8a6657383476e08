"""`leadvelocity model check` and `leadvelocity model schema`."""

from pathlib import Path
from typing import Annotated

import typer

from leadvelocity.errors import WrongInput
from leadvelocity.options import JsonOption, json_text, say
from schemas.model_file import ModelError, json_schema, load

app = typer.Typer(no_args_is_help=True)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="Model file (YAML).")], as_json: JsonOption = False
) -> None:
    """Check a scoring model: every problem with its line and cure, or its version hash."""
    try:
        model = load(file.read_text(encoding="utf-8"), file_name=str(file))
    except OSError as error:
        raise WrongInput(f"model {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise WrongInput(f"model {file}: {error}") from None
    except ModelError as error:
        if as_json:
            say(json_text({"ok": False, "problems": list(error.problems)}))
        raise WrongInput(f"the model has problems\n{error}") from None
    if as_json:
        say(
            json_text(
                {
                    "ok": True,
                    "model": model.name,
                    "version": model.version,
                    "state_version": model.state_version,
                    "signals": [each.name for each in model.signals],
                    "tiers": [each.name for each in model.tiers],
                }
            )
        )
    else:
        say(f"{file}: model {model.name}, version {model.version}: no problems")


@app.command()
def schema() -> None:
    """Print the JSON Schema of model files, for editors."""
    say(json_text(json_schema()))
