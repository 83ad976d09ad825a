package ach

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// observed are the weekdays on which the Federal Reserve Banks close, as the Federal Reserve publishes them year by year.
// Independence Day 2026, Juneteenth and Christmas 2027 and New Year 2028 and Veterans Day 2028 fall on a Saturday and close nothing.
var observed = map[int][]string{
	2024: {"01-01", "01-15", "02-19", "05-27", "06-19", "07-04", "09-02", "10-14", "11-11", "11-28", "12-25"},
	2025: {"01-01", "01-20", "02-17", "05-26", "06-19", "07-04", "09-01", "10-13", "11-11", "11-27", "12-25"},
	2026: {"01-01", "01-19", "02-16", "05-25", "06-19", "09-07", "10-12", "11-11", "11-26", "12-25"},
	2027: {"01-01", "01-18", "02-15", "05-31", "07-05", "09-06", "10-11", "11-11", "11-25"},
	2028: {"01-17", "02-21", "05-29", "06-19", "07-04", "09-04", "10-09", "11-23", "12-25"},
}

func TestHolidays(t *testing.T) {
	for year, want := range observed {
		var got []string
		for d := time.Date(year, 1, 1, 0, 0, 0, 0, eastern); d.Year() == year; d = d.AddDate(0, 0, 1) {
			if Holiday(d) {
				got = append(got, d.Format("01-02"))
				assert.False(t, BankingDay(d), d)
			}
		}
		assert.Equal(t, want, got, year)
	}
}

func TestSundayHolidaysMoveAndSaturdayOnesDoNot(t *testing.T) {
	for _, tt := range []struct {
		day     string
		banking bool
	}{
		{"2026-07-03", true}, // Friday before Independence Day
		{"2026-07-04", false},
		{"2022-06-20", false}, // Monday after Juneteenth
		{"2023-01-02", false}, // Monday after New Year
		{"2021-12-31", true},  // Friday before New Year
		{"2022-12-26", false}, // Monday after Christmas
		{"2026-03-07", false},
		{"2026-03-09", true},
	} {
		d, err := time.ParseInLocation(time.DateOnly, tt.day, eastern)
		assert.NoError(t, err)
		assert.Equal(t, tt.banking, BankingDay(d), tt.day)
	}
	// It is still Sunday in New York.
	assert.False(t, BankingDay(time.Date(2026, 3, 9, 3, 0, 0, 0, time.UTC)))
	assert.Equal(t, "2026-07-06", AddBankingDays(time.Date(2026, 7, 2, 23, 0, 0, 0, eastern), 2).Format(time.DateOnly))
	assert.Equal(t, "2026-11-27", AddBankingDays(time.Date(2026, 11, 25, 12, 0, 0, 0, eastern), 1).Format(time.DateOnly), "Thanksgiving")
}

func TestSettlement(t *testing.T) {
	const layout = "2006-01-02 15:04"
	for _, tt := range []struct {
		name, effective string
		sameDay         bool
		handed, want    string
	}{
		{"next day", "2026-03-03", false, "2026-03-02 20:01", "2026-03-03 08:30"},
		{"until 2:15 in the morning", "2026-03-03", false, "2026-03-03 02:15", "2026-03-03 08:30"},
		{"a minute too late", "2026-03-03", false, "2026-03-03 02:16", "2026-03-04 08:30"},
		{"days too late", "2026-03-03", false, "2026-03-06 12:00", "2026-03-09 08:30"},
		{"over a weekend", "2026-03-09", false, "2026-03-06 20:00", "2026-03-09 08:30"},
		{"on a Sunday", "2026-03-09", false, "2026-03-08 12:00", "2026-03-09 08:30"},
		{"same day, morning", "2026-03-02", true, "2026-03-02 10:30", "2026-03-02 13:00"},
		{"same day, noon", "2026-03-02", true, "2026-03-02 10:31", "2026-03-02 17:00"},
		{"same day, evening", "2026-03-02", true, "2026-03-02 16:45", "2026-03-02 18:00"},
		{"same day, too late", "2026-03-02", true, "2026-03-02 16:46", "2026-03-03 08:30"},
		{"clocks change", "2026-03-09", false, "2026-03-08 03:00", "2026-03-09 08:30"},
	} {
		effective, err := time.ParseInLocation(time.DateOnly, tt.effective, eastern)
		assert.NoError(t, err)
		handed, err := time.ParseInLocation(layout, tt.handed, eastern)
		assert.NoError(t, err)
		assert.Equal(t, tt.want, settlement(effective, tt.sameDay, handed).Format(layout), tt.name)
	}
}

func TestWindows(t *testing.T) {
	settled := at(monday, 8, 30) // 2026-03-02
	assert.Equal(t, "2026-03-05", finalAfterReturnWindow(settled).Format(time.DateOnly))
	assert.Equal(t, "2026-03-05", verifiedAfterPrenote(settled).Format(time.DateOnly))
	// The 60th day is Friday, 1 May; the bank's file comes by Monday, one more day is ours.
	assert.Equal(t, "2026-05-05", finalAfterUnauthorized(settled, 60).Format(time.DateOnly))
	assert.Equal(t, "2026-03-05", finalAfterUnauthorized(settled, 1).Format(time.DateOnly))
}

// FuzzSettlement compares with the plainest rule: never before it is asked for, never on a day without banking, never before
// it was handed over.
func FuzzSettlement(f *testing.F) {
	f.Add(int64(0), 1, true)
	f.Add(int64(200_000_000), 0, false)
	f.Fuzz(func(t *testing.T, seconds int64, days int, sameDay bool) {
		handed := time.Unix(1_700_000_000+seconds%1_000_000_000, 0)
		effective := AddBankingDays(handed, days%5)
		got := settlement(effective, sameDay, handed)
		if !BankingDay(got) && got.Hour() == 8 || got.Before(handed) || got.Before(dateOf(effective)) {
			t.Fatalf("handed over %v for %v, same day %v: %v", handed.In(eastern), effective, sameDay, got)
		}
	})
}
