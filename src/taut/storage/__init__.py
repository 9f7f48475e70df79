"""Storage: a model in one file, and back.

`save` writes a network, a model, an ensemble or a fitted estimator into a ``.taut`` file, a zip of JSON, safetensors
and skops; `load` opens it again, in this version or a later one, and `inspect` says what is in it without building it.
No file can make any of them run code: nothing is pickled. Floor 7 of the house; knows nothing of screens.
"""

from taut.storage.model_file import load, save
from taut.storage.model_info import ModelInfo, inspect, read_summary

__all__ = ["ModelInfo", "inspect", "load", "read_summary", "save"]
