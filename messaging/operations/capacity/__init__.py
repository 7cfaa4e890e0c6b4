"""Compute what a number of people needs: units, processes, money. Makes no requests to AWS."""
