from __future__ import annotations

import gc

import numpy as np
import tensorflow as tf

from cocoprep.model.augment.buffers import ALIGNMENT, KEPT, empty_pixels

SHAPE = (7, 11, 3)


def test_arrays_begin_where_tensorflow_wants_them():
    arrays = [empty_pixels(*SHAPE) for _ in range(20)]
    for array in arrays:
        assert array.shape == SHAPE
        assert array.dtype == np.uint8
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.ctypes.data % ALIGNMENT == 0


def test_no_two_arrays_share_memory():
    arrays = [empty_pixels(*SHAPE) for _ in range(3 * KEPT)]
    for n, array in enumerate(arrays):
        array[:] = n
    for n, array in enumerate(arrays):
        assert (array == n).all()


def test_memory_is_used_again_but_not_before_the_last_view_is_gone():
    array = empty_pixels(31, 17)
    address = array.ctypes.data
    view = array[3:, ::2]
    view[:] = 42
    del array
    gc.collect()
    others = [empty_pixels(31, 17) for _ in range(10)]
    assert address not in {other.ctypes.data for other in others}
    assert (view == 42).all()
    del view
    gc.collect()
    assert address in {other.ctypes.data for other in (empty_pixels(31, 17),)}


def test_tensors_keep_their_memory():
    def make(n):
        array = empty_pixels(64, 64)
        array[:] = n
        return array

    dataset = tf.data.Dataset.range(200).map(lambda n: tf.numpy_function(make, [n], tf.uint8), num_parallel_calls=3)
    kept = list(dataset.prefetch(4))
    for n, tensor in enumerate(kept):
        assert (tensor.numpy() == n).all()
    arrays = list(dataset.as_numpy_iterator())
    del kept
    gc.collect()
    for n, array in enumerate(arrays):
        assert (array == n).all()
