"""What rules need of sweeps: which combinations are trained how far, and records of losses and choices."""


def candidates(sweep, number):
    """Combinations that are trained up to a rung, counted from 0; with the number of rungs, to the end.

    Raises what makes Snakemake decide the rung before, and ask again.
    """
    if number and not sweep.halving_record(number - 1).is_file():
        checkpoints.halve.get(experiment=sweep.name, key=sweep.halvings[number - 1].key)
    return ask(sweep.candidates, number)


def trained_to_the_end(experiment):
    """Of a sweep those combinations that are, once early stopping decided it."""
    if isinstance(experiment, Sweep):
        return candidates(experiment, len(experiment.halvings))
    return [experiment]


def rung_needs(wildcards):
    """Prepared data that a run trains on, and that its loss is measured on."""
    combination = part_of(wildcards)
    rung = combination.find_rung(combination.find_run(wildcards.run), f"rung-{wildcards.key}")
    return [*stores_of(wildcards), ancient(relative(store_record(ROOT, rung.store.name)))]


def rung_records(wildcards):
    """Of all runs that came as far as a choice."""
    sweep = experiment_of(wildcards)
    number = sweep.find_halving(f"halving-{wildcards.key}")
    return [
        ancient(relative(record))
        for combination in candidates(sweep, number)
        for record in combination.rung_records(number)
    ]


def halving_records(sweep):
    """Of every choice that early stopping makes."""
    numbers = range(len(sweep.halvings))
    return [ancient(relative(sweep.halving_record(number))) for number in numbers]


def validation_store(wildcards):
    combination = part_of(wildcards)
    run = combination.find_run(wildcards.run)
    store = combination.find_validation(run, f"validation-{wildcards.key}").store
    return ancient(relative(store_record(ROOT, store.name)))


def validation_records(sweep):
    return [
        ancient(relative(combination.validation_record(run)))
        for combination in trained_to_the_end(sweep)
        for run in combination.runs
    ]


def choice(*experiments):
    """Records of the choices of those experiments that are sweeps."""
    return [ancient(relative(e.record)) for e in experiments if isinstance(e, Sweep)]
