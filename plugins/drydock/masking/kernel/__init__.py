"""The stream that masks: COPY binary out of a source, ruled columns masked, COPY binary into a target.

`work` says what is asked and what came of it; `stream.copy_stream` does it, by a compiled kernel where there is a compiler,
else by NumPy; both give the same bytes.
"""
