"""Which packages a rule's code imports, and whether its environment asks for them."""

import ast
import re
import sys
from pathlib import Path

from tools.lock import requested
from vla.locks.files import KINDS, EnvironmentFiles, normalised, read_requirements
from vla.plan.figures import find_figures
from vla.source.closure import executed_files, imported_names

# Packages that are imported under another name than their own.
IMPORT_NAME = {
    "matplotlib-base": "matplotlib",
    "nvidia-ml-py": "pynvml",
    "pyopengl": "opengl",
    "pytorch": "torch",
    "pyyaml": "yaml",
}
RULE = re.compile(r"^rule (\w+):(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


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
        kind = script_kind(root / script[1])
        allowed = [f'environment("{kind}")', *(f'"../envs/{name}.yaml"' for name in KINDS[kind])]
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
        kind = script_kind(script)
        entries = {script.name: script}
        if script.stem == "train":
            for path in sorted((root / "experiments").glob("*/train.py")):
                entries[str(path.relative_to(root))] = path
        if script.stem == "plot":
            entries |= {figure.entry: figure.path for figure in find_figures(root)}
        files = executed_files(entries, root)
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


def declared_imports(files: EnvironmentFiles) -> set[str]:
    """Import names, in lower case, of the packages an environment asks for."""
    names = [*requested(files), *read_requirements(files.pip_lock)]
    return {IMPORT_NAME.get(normalised(n), normalised(n).replace("-", "_")) for n in names}


def script_kind(script: Path) -> str:
    """The kind of environment that a script names in `job(kind, ...)`."""
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "job":
            return ast.literal_eval(node.args[0])
    raise ValueError(f"{script} calls no job(kind, ...)")
