"""A processor of the other maker, emulated: slow, and faithful to what code it chooses and how it rounds."""

import json

import torch

from tests.project import ROOT
from tools.portability import PROCESSORS, on_processor


def test_an_emulated_processor_of_the_other_maker_gives_the_same_bits():
    golden = json.loads((ROOT / "tests/data/portable.json").read_text())
    golden = golden[torch.__version__.partition("+")[0]]
    assert on_processor(PROCESSORS[0], "train", "ConvStem/16") == golden
