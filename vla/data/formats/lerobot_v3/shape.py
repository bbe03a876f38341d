"""Sizes that a LeRobotDataset v3.0 states in `meta/info.json`."""

import json

from vla.data.formats.protocol import Shape

IMAGE_PREFIX = "observation.images."
FILES = ("meta/info.json",)


def stated_shape(contents: dict[str, bytes], camera: str) -> Shape | None:
    content = json.loads(contents["meta/info.json"])
    features = content.get("features", {})
    names = (IMAGE_PREFIX + camera, "observation.state", "action")
    if "total_frames" not in content or not all(name in features for name in names):
        return None
    picture, state, action = (features[name]["shape"] for name in names)
    return Shape(content["total_frames"], (picture[0], picture[1]), state[0], action[0])
