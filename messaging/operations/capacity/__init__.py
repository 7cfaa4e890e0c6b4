"""How much a number of people takes: units, processes, money. Numbers alone: nothing here asks anything of AWS."""
