"""Looking after the database itself: is it sound, and how to copy it, bring it back and keep it small."""
