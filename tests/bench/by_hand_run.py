"""The job of `clm run` as an analyst would write it with pandas, lifetimes and scikit-learn: the peer of `test_run`.

    python -m tests.bench.by_hand_run LOG FOLDER

Reads a CSV, leaves out lines without a customer, takes negative lines for returns; scores and segments customers, values them
by BG/NBD with Gamma-Gamma, and fits a logistic regression for who buys again within 90 days. Writes the lines kept and the
table of customers as Parquet. It accounts for no row, tests nothing on the past, calibrates nothing and draws nothing.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter
from lifetimes.utils import ConvergenceError, summary_data_from_transaction_data
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

NAMES = {
    "InvoiceNo": "order_id",
    "CustomerID": "customer_id",
    "InvoiceDate": "ordered_at",
    "order_date": "ordered_at",
    "UnitPrice": "price",
    "Quantity": "quantity",
}
HORIZON_DAYS = 90
YEAR_DAYS = 365
PENALTIES = (0.0, 0.001, 0.01, 0.1)  # the next one where lifetimes does not converge, as its message asks
FEATURES = ["recency_days", "age_days", "orders", "spend"]
SEGMENTS = [
    (r"[1-2][1-2]", "hibernating"),
    (r"[1-2][3-4]", "at risk"),
    (r"[1-2]5", "can't lose"),
    (r"3[1-2]", "about to sleep"),
    (r"33", "need attention"),
    (r"[3-4][4-5]", "loyal"),
    (r"41", "promising"),
    (r"51", "new"),
    (r"[4-5][2-3]", "potential loyalist"),
    (r"5[4-5]", "champions"),
]


def read(path: str) -> pd.DataFrame:
    """The lines of known customers: order_id, customer_id, ordered_at, amount, negative for returns."""
    header = pd.read_csv(path, nrows=0).columns
    wanted = [name for name in header if NAMES.get(name, name) in {*NAMES.values(), "amount"}]
    ids = {name: str for name in wanted if NAMES.get(name, name) in ("order_id", "customer_id")}
    dates = [name for name in wanted if NAMES.get(name, name) == "ordered_at"]
    lines = pd.read_csv(path, usecols=wanted, dtype=ids, parse_dates=dates).rename(columns=NAMES)
    lines = lines.dropna(subset=["customer_id"])
    lines["customer_id"] = lines["customer_id"].str.removesuffix(".0")
    if "price" in lines:
        lines["amount"] = lines.pop("quantity") * lines.pop("price")
        lines["returned"] = lines["order_id"].str.startswith("C")
    else:
        lines["returned"] = lines["amount"] < 0
    return lines


def reduce(lines: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """A row a customer as of a day: recency, age, orders and net spend."""
    sales = lines[~lines["returned"]].groupby("customer_id")
    first, last = sales["ordered_at"].min().dt.normalize(), sales["ordered_at"].max().dt.normalize()
    table = pd.DataFrame({"spend": lines.groupby("customer_id")["amount"].sum()})
    table["orders"] = sales["order_id"].nunique()
    table["orders"] = table["orders"].fillna(0).astype(int)
    table["recency_days"] = (day - last).dt.days
    table["age_days"] = (day - first).dt.days
    return table


def score(table: pd.DataFrame) -> None:
    """Fifths of recency, orders and spend, and the segment they name, for those who bought."""
    bought = table[table["orders"] > 0]
    r = pd.qcut(bought["recency_days"].rank(method="first", ascending=False), 5, labels=False) + 1
    f = pd.qcut(bought["orders"].rank(method="first"), 5, labels=False) + 1
    m = pd.qcut(bought["spend"].rank(method="first"), 5, labels=False) + 1
    table["rfm"] = r.astype(str) + f.astype(str) + m.astype(str)
    table["segment"] = (r.astype(str) + f.astype(str)).replace(dict(SEGMENTS), regex=True)


def value(table: pd.DataFrame, lines: pd.DataFrame, day: pd.Timestamp) -> None:
    """P(alive), orders and value of the coming year."""
    sales = lines.loc[~lines["returned"], ["customer_id", "ordered_at", "amount"]]
    history = summary_data_from_transaction_data(
        sales, "customer_id", "ordered_at", monetary_value_col="amount", observation_period_end=day
    )
    x, recency, age = history["frequency"], history["recency"] / 7, history["T"] / 7
    lives = fitted(BetaGeoFitter, x, recency, age)
    repeat = history[(history["frequency"] > 0) & (history["monetary_value"] > 0)]
    spend = fitted(GammaGammaFitter, repeat["frequency"], repeat["monetary_value"])
    orders = lives.conditional_expected_number_of_purchases_up_to_time(YEAR_DAYS / 7, x, recency, age)
    found = pd.DataFrame({"p_alive": lives.conditional_probability_alive(x, recency, age), "expected_orders": orders})
    found.index = history.index
    found["expected_mean"] = spend.conditional_expected_average_profit(x, history["monetary_value"])
    found["clv"] = found["expected_orders"] * found["expected_mean"]
    for column in found:
        table[column] = found[column]


def fitted(fitter: type, *columns: pd.Series) -> Any:
    """A lifetimes model of these columns, penalised as little as lets it converge."""
    for penalty in PENALTIES:
        try:
            return fitter(penalizer_coef=penalty).fit(*columns)
        except ConvergenceError:
            if penalty == PENALTIES[-1]:
                raise
    return None


def churn(table: pd.DataFrame, lines: pd.DataFrame, day: pd.Timestamp) -> None:
    """The probability not to buy within the horizon, learned on the customers of one horizon ago."""
    then = day - pd.Timedelta(days=HORIZON_DAYS)
    before = lines["ordered_at"] < then + pd.Timedelta(days=1)
    past = reduce(lines[before], then)
    past = past[past["orders"] > 0]
    came = past.index.isin(lines.loc[~before & ~lines["returned"], "customer_id"].unique())
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(features(past), ~came)
    bought = table["orders"] > 0
    table.loc[bought, "churn_probability"] = model.predict_proba(features(table[bought]))[:, 1]


def features(table: pd.DataFrame) -> pd.DataFrame:
    return np.log1p(table[FEATURES].clip(lower=0))


def main(log: str, folder: str) -> None:
    """The whole job."""
    lines = read(log)
    day = lines["ordered_at"].max().normalize()
    table = reduce(lines, day)
    score(table)
    value(table, lines, day)
    churn(table, lines, day)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    lines.to_parquet(target / "clean.parquet", index=False)
    table.reset_index().to_parquet(target / "customers.parquet", index=False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
