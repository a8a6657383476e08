"""One module for each command of `leadvelocity`."""
