"""What is wrong with this installation and this project, with the fix beside each finding. Looks, and changes nothing."""
