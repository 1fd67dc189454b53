"""The commands: words, help, options, and the dotted name of what does the work."""
