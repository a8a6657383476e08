"""Finds and reads the scoring model."""

from importlib.resources import files
from pathlib import Path

from leadvelocity.errors import WrongInput
from schemas.model_file import ModelError, load
from scoring.model import Model

NAME = "default.yaml"


def load_model(path: Path | None) -> Model:
    """Read a model file; None: the model that ships with the product.

    Raises
    ------
    WrongInput
        With every problem of the file, its line and its cure.
    """
    try:
        text = _shipped() if path is None else path.read_text(encoding="utf-8")
        return load(text, file_name=NAME if path is None else str(path))
    except ModelError as error:
        raise WrongInput(f"the model cannot be used\n{error}") from None
    except OSError as error:
        raise WrongInput(f"model {path}: {error.strerror}; give a YAML file") from None
    except UnicodeDecodeError as error:
        raise WrongInput(f"model {path}: {error}; give a YAML file") from None


def _shipped() -> str:
    """Return the shipped model: in the package, or beside it in a checkout."""
    inside = files("leadvelocity").joinpath("models", NAME)
    if inside.is_file():
        return inside.read_text(encoding="utf-8")
    return (Path(__file__).parent.parent / "models" / NAME).read_text(encoding="utf-8")
