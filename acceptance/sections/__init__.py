"""The contract, section by section. Importing a module registers its steps with the walk."""
