"""The matrix of targets: what each of them makes of all streams of one account, read twice.

`make targets` installs each target into a virtual environment of its own, below `.targets`, gives
all of them the same Singer messages, and compares what they hold with what the messages said.
"""
