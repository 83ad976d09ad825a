import java.util.Comparator;
import java.util.Currency;

// Prints what Java knows of ISO 4217, the independent source that TestISOAgainstJava compares kosh's table with:
//
//     java Currencies.java > currencies.java.txt
//
// The columns are code, numeric code and decimals (-1 for none). Java tells neither the official names nor which
// currencies are withdrawn.
class Currencies {
    public static void main(String[] args) {
        System.out.println("# java.util.Currency of Java " + System.getProperty("java.version"));
        Currency.getAvailableCurrencies().stream()
            .sorted(Comparator.comparing(Currency::getCurrencyCode))
            .map(c -> c.getCurrencyCode() + " " + c.getNumericCodeAsString() + " " + c.getDefaultFractionDigits())
            .forEach(System.out::println);
    }
}
