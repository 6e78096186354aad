"""What assistants' own hooks run: an answer in milliseconds, and a process behind it that records.

`answering` is what the assistant waits for. It imports neither the engine nor anything else that is slow: it
reads the event (`receiving`, `payloads`), takes rules that were decided ahead (`claiming`), leaves a file
(`spool`) and ends. `recording` drains those files with the engine, in a process of its own.
"""
