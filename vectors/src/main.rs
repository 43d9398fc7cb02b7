mod case; mod make; mod rng; mod world;
use lukko::Suite;
fn main(){ for s in [Suite::X25519, Suite::XWing]{ let w=world::World::new(s,&mut rng::Seeded::new(b"x")); println!("{:?}", world::agrees_with_builder(&w)); println!("{}", w.to_json().to_string().len());}
 let k1=[1u8;32]; let k2=[2u8;32]; println!("{}", hex::encode(make::collide::two_key_chunk([(&k1,&[1;12]),(&k2,&[2;12])])));
}
