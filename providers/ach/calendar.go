package ach

import (
	"time"
	_ "time/tzdata" // bank hours are Eastern, in containers without a time zone database too
)

// eastern is the time of the Federal Reserve Banks. The database is linked in, so loading cannot fail.
var eastern = func() *time.Location {
	l, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic("ach: the time zone database lacks America/New_York: " + err.Error())
	}
	return l
}()

// dateOf is midnight of t's date in Eastern time.
func dateOf(t time.Time) time.Time {
	y, m, d := t.In(eastern).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, eastern)
}

// at is a time of day of a date, by the clock on the wall: adding hours would be wrong on the days when clocks change.
func at(date time.Time, hour, minute int) time.Time {
	y, m, d := date.In(eastern).Date()
	return time.Date(y, m, d, hour, minute, 0, 0, eastern)
}

// Holiday tells whether the Federal Reserve Banks observe a holiday on t's date in Eastern time. A holiday that falls
// on a Sunday is observed on the Monday after it; one that falls on a Saturday is not observed, the Friday before it is a
// banking day. Rules that were made later than the date (Juneteenth before 2021) are applied all the same.
func Holiday(t time.Time) bool {
	date := dateOf(t)
	y, m, d := date.Date()
	weekday := date.Weekday()
	nth := (d-1)/7 + 1 // this date is the month's nth such weekday
	last := date.AddDate(0, 0, 7).Month() != m
	switch {
	case weekday == time.Saturday || weekday == time.Sunday:
		return false
	case weekday == time.Monday && fixedHoliday(time.Date(y, m, d-1, 0, 0, 0, 0, time.UTC)):
		return true
	case fixedHoliday(date):
		return true
	case weekday == time.Monday:
		return m == time.January && nth == 3 || // Martin Luther King Jr.
			m == time.February && nth == 3 || // Washington
			m == time.May && last || // Memorial Day
			m == time.September && nth == 1 || // Labor Day
			m == time.October && nth == 2 // Columbus
	case weekday == time.Thursday:
		return m == time.November && nth == 4 // Thanksgiving
	}
	return false
}

func fixedHoliday(date time.Time) bool {
	_, m, d := date.Date()
	return m == time.January && d == 1 || // New Year
		m == time.June && d == 19 || // Juneteenth
		m == time.July && d == 4 || // Independence Day
		m == time.November && d == 11 || // Veterans Day
		m == time.December && d == 25 // Christmas
}

// BankingDay tells whether entries settle on t's date in Eastern time: no Saturday, no Sunday, no [Holiday].
func BankingDay(t time.Time) bool {
	w := dateOf(t).Weekday()
	return w != time.Saturday && w != time.Sunday && !Holiday(t)
}

// AddBankingDays returns midnight, Eastern time, of the nth banking day after t's date; of t's date itself for 0.
func AddBankingDays(t time.Time, n int) time.Time {
	date := dateOf(t)
	for n > 0 {
		date = date.AddDate(0, 0, 1)
		if BankingDay(date) {
			n--
		}
	}
	return date
}

// sameDayWindows are FedACH's: what reaches the operator by the deadline settles at the second time.
var sameDayWindows = []struct{ deadlineHour, deadlineMinute, settleHour int }{{10, 30, 13}, {14, 45, 17}, {16, 45, 18}}

// settlement says when a batch settles that was handed over at a moment: as it asks for, or later if it came too late for
// that. Entries for a banking day are taken until 2:15 on its morning and settle at 8:30.
func settlement(effective time.Time, sameDay bool, handedOver time.Time) time.Time {
	effective = dateOf(effective)
	if sameDay && BankingDay(effective) {
		for _, w := range sameDayWindows {
			if !handedOver.After(at(effective, w.deadlineHour, w.deadlineMinute)) {
				return at(effective, w.settleHour, 0)
			}
		}
	}
	day := dateOf(handedOver)
	if !BankingDay(day) || handedOver.After(at(day, 2, 15)) {
		day = AddBankingDays(day, 1)
	}
	if effective.After(day) {
		day = effective
	}
	return at(day, 8, 30)
}

// isSameDayOpen tells whether something that is handed over now can still settle today.
func isSameDayOpen(now time.Time) bool {
	last := sameDayWindows[len(sameDayWindows)-1]
	return BankingDay(now) && now.Before(at(now, last.deadlineHour, last.deadlineMinute))
}

// The return windows of the Nacha Operating Rules, each with one banking day more for the file to reach our inbox.
func finalAfterReturnWindow(settled time.Time) time.Time { // by the opening of the second banking day
	return at(AddBankingDays(settled, 3), 8, 30)
}

// finalAfterUnauthorized is when a consumer's bank can no longer return a debit as unauthorised: it must be available by the
// opening of the banking day that follows the given calendar day after settlement, the sixtieth by the rules.
func finalAfterUnauthorized(settled time.Time, days int) time.Time {
	end := at(AddBankingDays(dateOf(settled).AddDate(0, 0, days), 2), 8, 30)
	if short := finalAfterReturnWindow(settled); end.Before(short) {
		return short
	}
	return end
}

// verifiedAfterPrenote is when live entries may follow a prenote that nobody returned.
func verifiedAfterPrenote(settled time.Time) time.Time { return at(AddBankingDays(settled, 3), 8, 30) }
