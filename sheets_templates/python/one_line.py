"""The days of last month, straight into pandas: a row a day and meter, dates as dates.

Beside pandas nothing is needed: `pip install pandas`. Away from the machine that runs the service write its address,
and add `&key=` and a key.
"""

import pandas as pd

days = pd.read_csv("http://127.0.0.1:8000/usage.csv?period=last-month&aggregate=day", parse_dates=["time"])

print(days.pivot_table(index="time", columns="meter", values="energy_kwh").describe())
