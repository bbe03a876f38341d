"""Which packages a rule's code imports, and whether its environment asks for them."""

import re
import sys
from pathlib import Path

from tools.lock import requested
from vla.config.imported import ImportedModel
from vla.locks.files import KINDS, EnvironmentFiles, normalised, read_requirements
from vla.plan.stages import STAGES, environments_of
from vla.plugins import plugins
from vla.source.closure import executed_files, imported_names

# Packages that are imported under another name than their own.
IMPORT_NAME = {
    "matplotlib-base": "matplotlib",
    "hydra-core": "hydra",
    "nvidia-ml-py": "pynvml",
    "pillow": "pil",
    "pyopengl": "opengl",
    "pytorch": "torch",
    "pyyaml": "yaml",
}
# Rules whose code is chosen by name -> kinds of plug-ins; `trained` are policies but for those that come
# as they are and are only evaluated.
PLUGINS = {
    "prepare_dataset": ("formats",),
    "train": ("trained",),
    "train_to_rung": ("trained",),
    "validate": ("trained",),
    "import_policy": ("policies", "simulators"),
    "evaluate": ("policies", "simulators"),
    "film": ("policies", "simulators"),
    "check_experiment": ("trained",),
}
COMES_WITH = {"pydantic": "pydantic_core"}  # in exactly the version that the first needs
# Where a simulator decides: the function that says which environment, if not simulator_environment.
BY_SIMULATOR = {
    "collect_demonstrations": "collector_environment(PLAN.config.demonstrations)",
    "fetch_dataset": "dataset_environment",
}
COLLECTING = {"collect_demonstrations", "fetch_dataset"}
RULE = re.compile(r"^(?:rule|checkpoint) (\w+):(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def rules(root: Path) -> dict[str, str]:
    """Text of each rule of the workflow, by name."""
    found = {}
    for path in [root / "Snakefile", *sorted((root / "rules").glob("*.smk"))]:
        found |= dict(RULE.findall(path.read_text()))
    return found


def rule_problems(root: Path) -> list[str]:
    """Rules without an environment, or in another than their script asks for."""
    problems = []
    for name, text in rules(root).items():
        script = re.search(r'script:\s+"\.\./(scripts/\w+\.py)"', text)
        if not script:  # a target, which runs nothing
            if re.search(r"^    (shell|run|notebook|wrapper):", text, re.MULTILINE):
                problems.append(f"Rule {name} runs code, but not by a script of scripts/.")
            continue
        kinds = sorted(environments_of(Path(script[1]).stem))
        if "evaluate" in kinds:
            allowed = [BY_SIMULATOR.get(name, "simulator_environment")]
        else:
            (kind,) = kinds
            allowed = [f'environment("{kind}")', *(f'"../envs/{n}.yaml"' for n in KINDS[kind])]
        conda = re.search(r"conda:\s+(\S+)", text)
        if not conda:
            problems.append(f"Rule {name} has no conda environment; it needs {allowed[0]}.")
        elif conda[1] not in allowed:
            problems.append(f"Rule {name} runs in {conda[1]}, its script needs {allowed[0]}.")
    return problems


def import_problems(root: Path) -> list[str]:
    """Imports that an environment gets only by luck, through a package that it does ask for."""
    problems = []
    for script in sorted((root / "scripts").glob("*.py")):
        for kind in sorted(environments_of(script.stem)):
            files = executed_files(_entries(script, kind, root), root)
            own = {Path(name).parts[0].removesuffix(".py") for name in files}
            for environment in KINDS[kind]:
                declared = declared_imports(EnvironmentFiles(environment, root))
                for name, path in files.items():
                    for imported in sorted(imported_names(path) - sys.stdlib_module_names - own):
                        if imported.lower() not in declared:
                            problems.append(
                                f"{environment}.yaml lacks {imported}, which {name} imports "
                                f"(for scripts/{script.name})."
                            )
    return problems


def _entries(script: Path, environment: str, root: Path) -> dict[str, Path]:
    """A script, the core of its stage, the plug-ins it may choose, and experiments' own training.

    Of simulators those that run in that kind of environment.
    """
    entries = {script.name: script}
    for stage in STAGES:
        if stage.rule == script.stem:
            paths = [path for pattern in stage.core for path in root.glob(pattern)]
            entries |= {path.relative_to(root).as_posix(): path for path in paths}
    simulators = [
        plugin
        for plugin in plugins("simulators", root).values()
        if environment == plugin.load("config").ENVIRONMENT
    ]
    policies = plugins("policies", root).values()
    chosen = {
        "formats": plugins("formats", root).values(),
        "policies": policies,
        "trained": [p for p in policies if not issubclass(p.load("config").Config, ImportedModel)],
        "simulators": simulators,
    }
    for kind in PLUGINS.get(script.stem, ()):
        for plugin in chosen[kind]:
            entries |= plugin.code
    experts = [plugin.folder / "demonstrations.py" for plugin in simulators]
    if script.stem in COLLECTING and any(path.is_file() for path in experts):
        experts += [root / "vla/simulation/writing.py"]
        entries |= {p.relative_to(root).as_posix(): p for p in experts if p.is_file()}
    if script.stem == "check_experiment":
        for plugin in plugins("formats", root).values():
            path = plugin.folder / "shape.py"
            if path.is_file():
                entries[f"{plugin.name}/shape.py"] = path
    if script.stem in ("train", "train_to_rung"):
        for path in sorted((root / "experiments").glob("*/train.py")):
            entries[path.relative_to(root).as_posix()] = path
    return entries


def declared_imports(files: EnvironmentFiles) -> set[str]:
    """Import names, in lower case, of the packages an environment asks for."""
    names = [*requested(files), *read_requirements(files.pip_lock)]
    found = {IMPORT_NAME.get(normalised(n), normalised(n).replace("-", "_")) for n in names}
    return found | {name for package, name in COMES_WITH.items() if package in found}
