"""The models: numpy arrays in, small frozen records or arrays out; `fit` learns a record, the other functions apply it.
No polars, no files, no clock, no terminal here; scipy, scikit-learn and lifetimes are imported inside functions.

    btyd.py           the public face of the buy-till-you-die families: fit, P(alive), expected orders, P(return)
      btyd_params.py    what a fitted family is, and its JSON
      btyd_tuples.py    distinct (x, t_x, T) histories with their counts
      btyd_phases.py    Erlang phases and the tail sum every BG-type forecast rests on
      btyd_nbd.py       NBD: no drop-out
      btyd_bg.py        BG/NBD, MBG/NBD, BG/CNBD-k, MBG/CNBD-k: drop-out at orders
      btyd_pareto.py    Pareto/NBD: drop-out at any time
      btyd_simulate.py  posterior draws: intervals per customer and of the total
    bgbb.py           BG/BB: orders at yearly chances
    sbg.py            sBG: renewals of contracts
    spend.py          Gamma-Gamma and the shrunken mean
    evaluate.py       scores and deciles
    baselines.py      the naive forecasts every model must beat
    buyers.py         customers with a sale as arrays, and who would bend a fit
    valuation.py      orders, money and intervals per buyer, by monthly slice, discounted
    rhythm.py         what the gaps between orders say before any fit
    trial.py          fit, test, choose, for one base
    ladder.py         which families are fitted to a base, and which forecast it gets
    backtest.py       everything refitted and scored at one past origin
    appraisal.py      the numbers of a base on its rung, and their totals
    appraisal_facts.py  the same as JSON facts; appraisal_notes.py words them
    choice.py         the rule that chooses a forecast, and the interval of the total
    fitting.py        the maximiser and FitError
    records.py        checked reading of records from JSON
    via_lifetimes.py  the same families fitted by the lifetimes package (airlock)

Durations enter in days; parameters are reported in weeks, as the literature prints them.
"""
