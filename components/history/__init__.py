"""The parts of the History page: which runs, their table, one of them whole, files, charts."""
