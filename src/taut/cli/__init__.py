"""The command line: `taut fit`, `predict`, `show`, `compare` and `reproduce`.

`main` turns errors into one line and an exit code; there is one file for each group of commands, `inputs` checks what
they are given before anything takes long, and `display` is the only place that knows what a screen is. Floor 8 of the
house, the top: nothing imports it. What is heavy is imported inside the commands, so that help is there at once.
"""
