"""Meta-World's 50 tasks by the protocol that vision-language-action models are compared with.

Apart from `metaworld/`, whose starts, camera and hidden goals are this project's own.
"""
