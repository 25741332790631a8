from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cocoprep.errors import ConfigError

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from cocoprep.model.network.hourglass import build_hourglass, group_of  # noqa: E402
from tests.model.network.hourglass_step import losses_of_steps  # noqa: E402

ROOT = Path(__file__).parents[3]
TINY = {"channels": 8, "depth": 2, "joints": 5, "input_size": (32, 32)}


def images(count=2, size=(32, 32)):
    return np.random.default_rng(0).normal(size=(count, *size, 3)).astype(np.float32)


def tiny(**changes):
    keras.utils.set_random_seed(0)
    return build_hourglass(**{**TINY, **changes})


def with_louder_heads(network):
    """Fresh heads predict next to nothing, in which every difference would vanish."""
    for layer in network.layers:
        if layer.name.endswith("_head"):
            layer.kernel.assign(layer.kernel * 100)
    return network


def parameters(network):
    return sum(math.prod(weight.shape) for weight in network.trainable_weights)


def macs(layer):
    """Return the multiply-accumulates of a layer for one image; 0 for all but convolutions."""
    if isinstance(layer, keras.layers.SeparableConv2D):
        *depthwise, inputs, _ = layer.depthwise_kernel.shape
        return math.prod(layer.output.shape[1:3]) * inputs * (math.prod(depthwise) + layer.filters)
    if isinstance(layer, keras.layers.Conv2D):
        return math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
    return 0


@pytest.mark.parametrize(
    ("stacks", "expected"),
    [
        (1, 3_426_705),
        (2, 6_571_170),
        *(pytest.param(*n, marks=pytest.mark.long) for n in ((4, 12_860_100), (8, 25_437_960))),
    ],
)
def test_it_has_as_many_parameters_as_the_published_networks(stacks, expected):
    assert parameters(build_hourglass(stacks=stacks)) == expected


def test_two_stacks_take_8_3_billion_multiplications():
    assert sum(map(macs, build_hourglass().layers)) == pytest.approx(8.3e9, rel=0.005)


def test_a_separable_network_is_smaller_and_cheaper():
    standard, separable = tiny(channels=64), tiny(channels=64, convolution="separable")
    assert parameters(separable) < 0.6 * parameters(standard)
    assert sum(map(macs, separable.layers)) < 0.6 * sum(map(macs, standard.layers))
    assert [maps.shape for maps in separable(images())] == [(2, 8, 8, 5)] * 2


@pytest.mark.parametrize(
    ("config", "heatmap_size"),
    [
        ({}, (8, 8)),
        ({"stacks": 1}, (8, 8)),
        ({"stacks": 3}, (8, 8)),
        ({"depth": 1}, (8, 8)),
        ({"channels": 6}, (8, 8)),
        ({"joints": 1}, (8, 8)),
        ({"input_size": (64, 48)}, (16, 12)),
        ({"input_size": (256, 192), "depth": 4}, (64, 48)),
        ({"input_size": (32, 16), "heatmap_stride": 2}, (16, 8)),
        ({"input_size": (32, 64), "heatmap_stride": 8}, (4, 8)),
        ({"convolution": "separable", "activation": "sigmoid"}, (8, 8)),
    ],
)
def test_there_is_one_output_a_stack_in_order(config, heatmap_size):
    network = tiny(**config)
    shape = (None, *heatmap_size, config.get("joints", TINY["joints"]))
    names = [f"stack{number}_heatmaps" for number in range(1, config.get("stacks", 2) + 1)]
    assert network.output_names == names
    assert [output.shape for output in network.outputs] == [shape] * len(names)


def test_every_stack_looks_at_everything_once_it_is_deep_enough():
    """The lowest scale of depth 2 is a twelfth: the far corner of the input must reach the first pixel's heatmap."""
    network = with_louder_heads(tiny(depth=3))
    changed = images(1)
    changed[0, -1, -1] += 10
    first, second = (network(batch)[0][0, 0, 0] for batch in (images(1), changed))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"stacks": 0}, "--stacks: expected a whole number from 1 to 8, found 0."),
        ({"stacks": 9}, "--stacks: expected a whole number from 1 to 8, found 9."),
        ({"stacks": 2.0}, "--stacks: expected a whole number from 1 to 8, found 2.0."),
        ({"stacks": True}, "--stacks: expected a whole number from 1 to 8, found True."),
        ({"channels": 0}, "--channels: expected a whole number from 2 to 4096, found 0."),
        ({"channels": 10**9}, "--channels: expected a whole number from 2 to 4096, found 1000000000."),
        ({"depth": 10**9}, "--depth: expected a whole number from 1 to 10, found 1000000000."),
        ({"channels": 7}, "--channels: expected an even number, found 7"),
        ({"depth": 0}, "--depth: expected a whole number from 1 to 10, found 0."),
        ({"joints": 0}, "joints: expected a whole number from 1 up, found 0."),
        ({"input_size": (32,)}, r"input size: expected a height and a width in pixels, found \(32,\)"),
        ({"input_size": (32, 0)}, r"input size: expected a height and a width in pixels, found \(32, 0\)"),
        ({"input_size": (32.0, 32)}, "input size: expected a height and a width in pixels"),
        ({"input_size": (40, 32)}, "divisible by 16 .* found 40x32; .* a height of 32 or 48 and a width of 32"),
        ({"input_size": (32, 8)}, "divisible by 16 .* found 32x8; .* a width of 16 "),
        ({"input_size": (32, 48), "heatmap_stride": 8}, r"divisible by 32 \(heatmap stride 8 times 2 to the depth 2\)"),
        ({"heatmap_stride": 3}, "--heatmap-stride: expected one of 2, 4, 8, found 3. Build the shards"),
        ({"convolution": "dilated"}, "--convolution: expected one of standard, separable, found 'dilated'."),
        ({"activation": "swish"}, "--activation: expected one of linear, sigmoid, relu, tanh, found 'swish'."),
    ],
)
def test_what_cannot_work_is_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        tiny(**config)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("stem_conv", "stem"),
        ("stem_residual1_conv2/kernel", "stem"),
        ("stack1_head", "stack1"),
        ("stack8_up2_residual_bn1/gamma", "stack8"),
        ("hourglass/stack2_merge_features/bias", "stack2"),
    ],
)
def test_every_name_tells_its_group(name, group):
    assert group_of(name) == group


@pytest.mark.parametrize("name", ["image", "dense/kernel", "stacked_conv", "my_stem_conv"])
def test_other_names_have_no_group(name):
    with pytest.raises(ConfigError, match="expected a name that starts with stem_ or stackN_"):
        group_of(name)


@pytest.mark.parametrize("stack", [1, 2, 3])
def test_the_loss_of_a_stack_reaches_every_weight_up_to_it_and_none_after(stack):
    network = tiny(stacks=3, channels=32)
    for _ in range(2):
        network(images(), training=True)  # moves the statistics, without which some channels never pass their ReLU
    with tf.GradientTape() as tape:
        # As in inference: in training, a bias before batch normalisation has no gradient.
        loss = tf.reduce_sum(tf.square(network(images(), training=False)[stack - 1] - 1))
    reached = {"stem", *(f"stack{number}" for number in range(1, stack + 1))}
    gradients = tape.gradient(loss, network.trainable_variables)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        # The way to the next stack belongs to the stack it leaves.
        expected = group_of(variable.path) in reached and f"stack{stack}_merge" not in variable.path
        assert (gradient is not None and np.any(gradient)) == expected, variable.path
        assert gradient is None or np.isfinite(gradient).all(), variable.path


def test_what_the_first_stack_says_is_told_to_the_second():
    network = tiny()
    first, second = network(images())
    head = network.get_layer("stack1_head")
    head.bias.assign(head.bias + 1)
    first_after, second_after = network(images())
    np.testing.assert_allclose(first_after, first + 1, atol=1e-6)
    assert np.abs(second_after - second).max() > 1e-6


def test_first_predictions_are_near_zero():
    for maps in tiny()(images(), training=True):
        assert 0 < np.abs(maps).max() < 0.05


def test_an_image_is_predicted_alike_alone_and_in_a_batch():
    network = with_louder_heads(tiny())
    together = network(images(3))
    for number in range(3):
        alone = network(images(3)[number : number + 1])
        for maps, expected in zip(alone, together, strict=True):
            np.testing.assert_allclose(maps[0], expected[number], atol=1e-5)


@pytest.mark.parametrize("activation", ["linear", "sigmoid", "relu", "tanh"])
def test_the_activation_is_that_of_the_heatmaps(activation):
    linear, activated = with_louder_heads(tiny(stacks=1)), with_louder_heads(tiny(stacks=1, activation=activation))
    expected = getattr(keras.ops, activation)(linear(images())[0]) if activation != "linear" else linear(images())[0]
    np.testing.assert_allclose(activated(images())[0], expected, atol=1e-6)


@pytest.fixture
def policy(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"], indirect=True)
def test_under_mixed_precision_weights_and_heatmaps_are_float32(policy):
    network = tiny()
    assert network.get_layer("stack1_bottom_residual_conv2").compute_dtype == policy.removeprefix("mixed_")
    assert {variable.dtype for variable in network.variables} - {"uint32"} == {"float32"}
    for maps in network(images()):
        assert maps.dtype == tf.float32
        assert np.isfinite(maps).all()


def test_the_same_seed_gives_the_same_network():
    for first, second in zip(tiny().weights, tiny().weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_training_as_it_goes_follows_the_statistics_of_the_batch():
    """After 60 batches next to nothing is left of the moving statistics' start."""
    network = with_louder_heads(tiny(stacks=1, depth=1))
    train = tf.function(lambda images: network(images, training=True)[0])
    for _ in range(60):
        in_training = train(images(4)).numpy()
    difference = np.abs(network(images(4), training=False)[0] - in_training)
    assert difference.mean() < 0.03 * np.abs(in_training).mean()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hourglass")
    network = with_louder_heads(tiny(activation="sigmoid"))
    network(images(8), training=True)  # moves the moving statistics
    network.save(folder / "network.keras")
    outputs = dict(zip(network.output_names, network.predict_on_batch(images()), strict=True))
    np.savez(folder / "expected.npz", images=images(), **outputs)
    return folder


def test_a_saved_network_is_the_same_when_loaded(saved):
    expected = np.load(saved / "expected.npz")
    loaded = keras.saving.load_model(saved / "network.keras")
    for name, maps in zip(loaded.output_names, loaded.predict_on_batch(expected["images"]), strict=True):
        np.testing.assert_array_equal(maps, expected[name])


def test_a_network_of_one_stack_returns_a_list_too(tmp_path):
    network = tiny(stacks=1)
    network.save(tmp_path / "network.keras")
    for each in (network, keras.saving.load_model(tmp_path / "network.keras")):
        outputs = each(images())
        assert isinstance(outputs, list)  # Keras likes to unwrap a list of one
        assert [maps.shape for maps in outputs] == [(2, 8, 8, 5)]


@pytest.mark.long
def test_jax_predicts_the_same_and_learns(saved):
    pytest.importorskip("jax")
    run = subprocess.run(
        [sys.executable, "-m", "tests.model.network.hourglass_step", str(saved)],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout.splitlines()[-1])
    assert report["backend"] == "jax"
    assert report["worst"] < 1e-4
    assert report["losses"][-1] < 0.8 * report["losses"][0], report["losses"]


@pytest.mark.long
def test_the_jax_benchmark_learns_from_shards(people_folder):
    pytest.importorskip("jax")
    folder = people_folder(images=30, size=(64, 64))
    settings = {"precision": "float32", "augment": "medium", "batch": 8, "stacks": 2, "channels": 16}
    options = [f"--{name}={value}" for name, value in {**settings, "rounds": 3, "steps": 4}.items()]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.jax_step", str(folder), *options],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["losses"][-1] < 0.95 * found["losses"][0], found["losses"]
    same = build_hourglass(stacks=2, channels=16, input_size=(64, 64))
    assert found["multiply_adds"] == 3 * 8 * sum(map(macs, same.layers))
    weights = 4 * parameters(same)
    assert 3 * weights < found["planned_bytes"] < 1e9  # weights, and two moments of each, at least


def test_tensorflow_learns():
    losses = losses_of_steps()
    assert losses[-1] < 0.8 * losses[0], losses
