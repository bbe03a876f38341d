"""How `tensorflow.safetensors` was made: TensorFlow prepares a picture as OpenVLA's evaluation of LIBERO does.

Not part of the tests. In an environment of its own, with this project's root on the path:

    pip install tensorflow-cpu==2.21.0 torch==2.13.0 safetensors
    python -m tests.data.openvla.make_pictures FOLDER
"""

import sys
from pathlib import Path

import tensorflow as tf
from safetensors.numpy import save_file

from tests.openvla_checkpoints import EVERY, draw_picture


def resize(picture: tf.Tensor) -> tf.Tensor:
    small = tf.image.resize(picture, (224, 224), method="lanczos3", antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(small), 0, 255), tf.uint8)


def crop(picture: tf.Tensor) -> tf.Tensor:
    values = tf.image.convert_image_dtype(picture, tf.float32)[None]
    side = tf.reshape(tf.sqrt(0.9), (1,))
    start = (1 - side) / 2
    box = tf.stack([start, start, start + side, start + side], 1)
    cut = tf.image.crop_and_resize(values, box, tf.range(1), (224, 224))[0]
    return tf.image.convert_image_dtype(tf.clip_by_value(cut, 0, 1), tf.uint8, saturate=True)


if __name__ == "__main__":
    encoded = tf.image.encode_jpeg(draw_picture(7, 256))
    fast = resize(tf.io.decode_image(encoded, expand_animations=False))  # as OpenVLA does
    accurate = resize(tf.io.decode_jpeg(encoded, dct_method="INTEGER_ACCURATE"))  # as Pillow does
    found = {"fast": fast, "accurate": accurate, "cropped": crop(tf.constant(draw_picture(7, 224)))}
    kept = {name: value.numpy()[::EVERY, ::EVERY].copy() for name, value in found.items()}
    save_file(kept, Path(sys.argv[1]) / "tensorflow.safetensors")
