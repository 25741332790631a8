"""A sweep that is killed at any write, and gone on with, is the undisturbed one; with a trainer that takes no time."""

from __future__ import annotations

import pytest

pytest.importorskip("optuna")

from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.model.sweep.database import open_database
from cocoprep.model.sweep.messages import Failed, Stopped
from cocoprep.model.sweep.space import Range
from cocoprep.model.sweep.sweep import MOST_FAILURES
from tests.support.sweeps import BASE, METHODS, Dying, Formula, KilledError, open_study, outcome, sweep, sweep_config

TRIALS, FEW = 7, 5
SMALL = "batch_size = 4\n" + BASE
_MEDIAN = '"MedianPruner", n_startup_trials = 1'
PRUNERS = {
    "median": METHODS,
    "halving": METHODS.replace(_MEDIAN, '"SuccessiveHalvingPruner", reduction_factor = 2'),
    "hyperband": METHODS.replace(_MEDIAN, '"HyperbandPruner", max_resource = 4'),
}


@pytest.fixture(scope="module")
def data(people_folder):
    return people_folder(size=(32, 32), shards=3)


@pytest.fixture
def config(data, tmp_path):
    return sweep_config(tmp_path / "s.toml", data)


def test_a_sweep_ends_with_as_many_trials_as_asked_for(config, tmp_path):
    study, told = sweep(tmp_path, config, TRIALS)
    found = outcome(study)
    assert [one[0] for one in found] == list(range(TRIALS))
    states = {one[1] for one in found}
    assert states >= {"complete", "pruned"}
    complete = [one for one in found if one[1] == "complete"]
    assert all(len(epochs) == 4 and value == max(epochs.values()) for _, _, _, epochs, value, _ in complete)
    assert all(1 <= len(epochs) < 4 for _, state, _, epochs, _, _ in found if state == "pruned")
    assert [one[:2] for one in told if one[0] == "begun"] == [("begun", n) for n in range(TRIALS)]
    again, told = sweep(tmp_path, config, TRIALS)
    assert (outcome(again), told) == (found, [])
    more, told = sweep(tmp_path, config, TRIALS + 2)
    assert outcome(more)[:TRIALS] == found
    assert [one[1] for one in told if one[0] == "begun"] == [TRIALS, TRIALS + 1]


def kill_at(data, tmp_path, methods, *, every):
    """Kill a sweep at every so-manieth write, each time a new one; hold what comes of it against the undisturbed."""
    parts = {"methods": methods}
    config = sweep_config(tmp_path / "s.toml", data, **parts)
    whole = tmp_path / "whole"
    storage = open_database(f"sqlite:///{whole}/sweep.db")
    counting = Dying(storage, 0, after=False)
    undisturbed = outcome(sweep(whole, config, FEW, storage=storage)[0])
    for at in range(1, counting.writes + 1, every):
        for after in (False, True):
            root = tmp_path / f"{at}-{after}"
            storage = open_database(f"sqlite:///{root}/sweep.db")
            Dying(storage, at, after=after)
            with pytest.raises(KilledError):
                sweep(root, config, FEW, storage=storage)
            study, _ = sweep(root, config, FEW)
            assert outcome(study) == undisturbed, f"killed {'after' if after else 'before'} write {at}"
    return counting.writes


def test_a_kill_at_a_write_changes_nothing(data, tmp_path):
    assert kill_at(data, tmp_path, PRUNERS["halving"], every=29) > 30


@pytest.mark.long
@pytest.mark.parametrize("name", PRUNERS)
def test_a_kill_at_any_write_changes_nothing(name, data, tmp_path):
    kill_at(data, tmp_path, PRUNERS[name], every=1)


def test_a_wish_to_stop_leaves_the_trial_to_the_next_sweep(config, tmp_path):
    undisturbed = outcome(sweep(tmp_path / "whole", config, TRIALS)[0])
    for after in (3, 11):
        asked = iter(range(after))
        with pytest.raises(KeyboardInterrupt):
            sweep(tmp_path / str(after), config, TRIALS, stops=lambda asked=asked: next(asked, None) is None)
        study, _ = sweep(tmp_path / str(after), config, TRIALS)
        assert outcome(study) == undisturbed


def test_a_failed_trial_is_one_of_them_and_says_why(data, tmp_path):
    search = '[search]\n"optimizer.learning_rate" = { choices = [0.09, 0.01, 0.02] }\n'
    config = sweep_config(tmp_path / "s.toml", data, search=search, base=SMALL)
    found = outcome(sweep(tmp_path, config, 6)[0])
    failed = [one for one in found if one[2]["optimizer.learning_rate"] == 0.09]
    assert failed
    assert {(state, value, reason) for _, state, _, _, value, reason in failed} == {
        ("failed", None, "the loss of step 1 is not finite.")
    }
    assert {state for _, state, *_ in found} > {"failed"}


def test_what_becomes_of_a_pruned_trials_process_is_all_one(config, tmp_path):
    class Dies(Formula):
        def messages(self, stops):
            for message in super().messages(stops):
                yield Failed("ended by SIGKILL", "trial") if isinstance(message, Stopped) else message

    found = outcome(sweep(tmp_path, config, TRIALS, train=Dies)[0])
    assert "pruned" in {one[1] for one in found}
    assert found == outcome(sweep(tmp_path / "whole", config, TRIALS)[0])


def test_steps_may_be_fine():
    fine = Range(low=0.0, high=1.0, step=1e-13)
    assert all(fine.holds(n * 1e-13) for n in range(10**12, 10**13, 10**10 + 7))
    coarse = Range(low=0.0, high=1000.0, step=0.25)
    assert [coarse.holds(value) for value in (999.75, 999.7501, 0.1)] == [True, False, False]


def test_one_failure_after_another_ends_the_sweep(data, tmp_path):
    search = '[search]\n"optimizer.learning_rate" = { low = 0.085, high = 0.09 }\n'
    config = sweep_config(tmp_path / "s.toml", data, search=search, base=SMALL)
    with pytest.raises(CocoprepError, match=r"5 trials in a row have failed, the last one: the loss of step 1"):
        sweep(tmp_path, config, 20)
    assert len(open_study(tmp_path, config).trials()) == MOST_FAILURES


def test_what_is_no_trials_fault_leaves_it_to_be_gone_on_with(config, tmp_path):
    class Full(Formula):
        def messages(self, stops):
            yield Failed("no space is left on the disk.", "sweep")

    with pytest.raises(CocoprepError, match=r"trial 0: no space is left on the disk. It is gone on with by the same"):
        sweep(tmp_path, config, TRIALS, train=Full)
    assert [trial.is_running for trial in open_study(tmp_path, config).trials()] == [True]
    assert outcome(sweep(tmp_path, config, TRIALS)[0]) == outcome(sweep(tmp_path / "whole", config, TRIALS)[0])


def test_two_at_once_share_the_trials(config, tmp_path):
    first, second = (open_study(tmp_path, config) for _ in range(2))
    one, other = first.take(3), second.take(3)
    assert (one.trial.number, other.trial.number) == (0, 1)
    third = second.take(3)
    assert third.trial.number == 2
    assert first.take(3) is None
    one.lock.release()  # as a process that was killed
    again = second.take(3)
    assert (again.trial.number, again.resumed, again.trial.params) == (0, True, one.trial.params)


def test_trials_that_lie_elsewhere_are_not_taken(config, tmp_path, monkeypatch):
    taken = open_study(tmp_path, config, run_dir=tmp_path / "here").take(5)
    taken.lock.release()
    there = open_study(tmp_path, config, run_dir=tmp_path / "there")
    assert there.take(2).trial.number == 1
    assert there.take(2) is None
    here = open_study(tmp_path, config, run_dir=tmp_path / "here")
    assert here.take(2).trial.number == 0


def test_a_folder_belongs_to_one_study(config, tmp_path):
    sweep(tmp_path, config, 1)
    with pytest.raises(ConfigError, match="has the trials of another study"):
        open_study(tmp_path, config, name="other", run_dir=tmp_path / "s")
    (tmp_path / "sweep.db").unlink()
    with pytest.raises(ConfigError, match="if the database is gone, move the folder away"):
        open_study(tmp_path, config)


def test_another_file_is_refused_with_what_differs(data, config, tmp_path):
    sweep(tmp_path, config, 1)
    changed = sweep_config(
        tmp_path / "t.toml", data, base="epochs = 5\nxla = 'whole'\nnetwork = { stacks = 1, depth = 1 }\n"
    )
    with pytest.raises(ConfigError) as error:
        open_study(tmp_path, changed)
    assert "settings.epochs was 4, now 5" in str(error.value)
    assert "settings.xla was 'off', now 'whole'" in str(error.value)
    assert "network.channels" not in str(error.value)  # which is searched
    search = '[search]\n"network.channels" = { choices = [8, 12] }\n'
    with pytest.raises(ConfigError, match=r"search.augment.choices was \['none', 'light'\], now not there"):
        open_study(tmp_path, sweep_config(tmp_path / "t.toml", data, search=search, base=SMALL))
    methods = METHODS.replace("seed = 3", "seed = 4")
    with pytest.raises(ConfigError, match=r"sampler\.seed was 3, now 4"):
        open_study(tmp_path, sweep_config(tmp_path / "t.toml", data, methods=methods))
