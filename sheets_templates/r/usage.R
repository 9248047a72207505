# Half-hours and days in R; nothing but R itself is needed (3.6 or newer).
#   SHEETS_ADDRESS=https://sheets.example.org SHEETS_KEY=pss_… Rscript usage.R
# On the machine that runs the service neither is needed.
address <- Sys.getenv("SHEETS_ADDRESS", "http://127.0.0.1:8000")
key <- Sys.getenv("SHEETS_KEY")

read_table <- function(path) {
  headers <- if (nzchar(key)) c(Authorization = paste("Bearer", key)) else NULL
  read.csv(url(paste0(address, "/", path), headers = headers))
}

days <- read_table("usage.csv?period=last-month&aggregate=day")
days$time <- as.Date(days$time)
str(days)
print(aggregate(energy_kwh ~ meter, days, sum))

half_hours <- read_table("usage.csv?period=last-7-days")
half_hours$time_utc <- as.POSIXct(half_hours$time_utc, tz = "UTC")
print(summary(half_hours$energy_kwh))
