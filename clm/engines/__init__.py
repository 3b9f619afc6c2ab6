"""Where the reduce runs: frames of any engine, and Spark beside Polars.

They may not know a stage, nor compute anything of customers: the reduce goes to the engine, its result comes back to Polars.
"""
