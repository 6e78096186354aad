"""The commands, by what they are for; each module is imported when one of its commands is run."""
