"""Pin pretrained weights: bring them here, hash them, and write that into config/weights.yaml."""

from io import StringIO

from ruamel.yaml import YAML

from vla.files.atomic import write_text
from vla.files.described import File, describe_file
from vla.weights.fetching import ENDINGS, bring, source_files
from vla.weights.pinned import PinnedWeights


def pin_weights(weights: PinnedWeights) -> list[File]:
    """Pin the files that are in `weights/NAME/`, or all of the source's when there are none.

    What else config/weights.yaml says stays, comments too. `UserError` when the source cannot be
    read or holds no safetensors.
    """
    folder = weights.folder
    here = sorted(path for path in folder.glob("*") if path.name.endswith(ENDINGS))
    if not any(path.suffix == ".safetensors" for path in here):
        names = source_files(weights)
        bring(weights, names)
        here = [folder / name for name in names]
    files = [describe_file(path, folder) for path in here]
    path = weights.root / "config/weights.yaml"
    yaml = YAML()
    yaml.width = 200
    content = yaml.load(path.read_text())
    content[weights.name]["files"] = {
        file.path: {"sha256": file.sha256, "bytes": file.bytes} for file in files
    }
    text = StringIO()
    yaml.dump(content, text)
    write_text(path, text.getvalue())
    return files
