//! A made-up clinic, the same one every time.

use crate::notes::{Note, Notes};

const PATIENTS: usize = 220;
const NOTES: usize = 2_200;
/// Shortest and longest note, about, in bytes.
const LENGTHS: (usize, usize) = (100, 4_000);

/// What the notes are put together from. Nobody said or wrote any of it.
const SENTENCES: [&str; 32] = [
    "She arrived on time and asked for the window to be left open.",
    "Slept five hours a night this week, \"which is two more than in March\".",
    "Työkuorma on kasvanut, mutta iltakävelyt ovat auttaneet.",
    "We went through the diary line by line; three entries were about the stairs.",
    "Hän kertoi, että puhelut äidin kanssa päättyvät yhä riitaan.",
    "Breathing exercise, seven minutes, with the counting that he prefers.",
    "The word \"väsynyt\" came up eleven times.",
    "Agreed homework: write down, in one sentence, what went well each day.",
    "Pelko kuristaa ennen kokouksia, lievittyy kun asialista on etukäteen tiedossa.",
    "No thoughts of self-harm were reported; asked directly, answered directly.",
    "He laughed for the first time since the autumn, then apologised for it.",
    "Lääkitys ennallaan, seuraava arvio kolmen viikon kuluttua.",
    "Her brother's visit went better than feared: \"we only argued about the soup\".",
    "Tavoite: kaksi tapaamista ystävien kanssa ennen joulua.",
    "We practised saying no to the extra shift, first to me, then to an empty chair.",
    "Uni on katkonaista; herää neljältä ja kuuntelee jääkaappia.",
    "The old photographs are back in the drawer, and the drawer stays shut for now.",
    "Short silence after the question about his father, longer than last time.",
    "Puhuttiin häpeästä: mistä se tuli, kenelle se oikeastaan kuuluu.",
    "Rated the week 6/10, \"seven if you leave out Tuesday\".",
    "Panic on the bus, once; got off, counted to a hundred, took the next one.",
    "Kotitehtävä tehty osittain, mikä on enemmän kuin viime kerralla.",
    "The plan for the difficult day is written on a card in her coat.",
    "Sopeutuminen uuteen kaupunkiin sujuu hitaasti; naapurin koira auttaa.",
    "Asked whether these notes are kept; explained how they are, and who can open them.",
    "Eron jälkeinen hiljaisuus on vaihtunut väsymykseen.",
    "Next time: the letter that was never sent, if he still wants to read it aloud.",
    "Appetite is back, cooking is not; soup, bread, coffee — \"too much coffee\".",
    "Hän nauroi omalle vitsilleen ja sanoi sen yllättäneen.",
    "Compared the two versions of that evening, and let both of them stand.",
    "Ryhmään liittyminen epäilyttää, mutta esite on nyt jääkaapin ovessa.",
    "Ended five minutes early at her wish; no reason asked, none given.",
];

/// Makes up the notes of every patient.
pub(crate) fn clinic() -> Notes {
    let mut dice = Dice(0x1C_11_41_C5);
    let patients: Vec<String> = (0..PATIENTS).map(|_| format!("p-{:08x}", dice.roll() >> 32)).collect();
    let mut notes = Notes::default();
    for number in 0..NOTES {
        // Everyone gets two notes; the others fall where the dice say.
        let patient = if number < 2 * PATIENTS { number % PATIENTS } else { dice.below(PATIENTS) };
        let text = text(&mut dice);
        notes.push(Note { patient: patients[patient].clone(), record: format!("r-{number:05}"), text });
    }
    notes
}

fn text(dice: &mut Dice) -> String {
    let (shortest, longest) = LENGTHS;
    // The smaller of two rolls: short notes are more common than long ones.
    let spread = longest - shortest;
    let length = shortest + dice.below(spread).min(dice.below(spread));
    let mut text = String::new();
    while text.len() < length {
        text.push_str(SENTENCES[dice.below(SENTENCES.len())]);
        text.push_str(if dice.below(5) == 0 { "\n\n" } else { " " });
    }
    text
}

/// SplitMix64 (Steele, Lea and Flood 2014). It repeats itself on purpose: never draw keys from such a generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.roll() % limit as u64) as usize
    }
}
